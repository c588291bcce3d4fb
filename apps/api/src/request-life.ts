import type { FastifyInstance, FastifyReply } from 'fastify';
import fastifyPlugin from 'fastify-plugin';
import { logLeft } from './log.js';

declare module 'fastify' {
  interface FastifyInstance {
    /**
     * A signal for work that goes on as long as its request: aborted when the client leaves, the time is up, or the
     * process stops. That the client left is told in the log.
     */
    lifeOf(reply: FastifyReply, limitMs?: number): AbortSignal;
    /** The process was asked to end: no connection is to stay open after its answer. */
    isStopping(): boolean;
  }
}

/** Open requests end their waiting when the process stops; without this a long poll would hold it up for an hour. */
export const requestLives = fastifyPlugin(
  async (app: FastifyInstance) => {
    const lives = new Set<AbortController>();
    /** One request may do several works, one after another. */
    const toldLeft = new WeakSet<FastifyReply>();
    let stopping = false;

    app.decorate('lifeOf', (reply: FastifyReply, limitMs?: number): AbortSignal => {
      const life = new AbortController();
      const timer = limitMs === undefined ? undefined : setTimeout(() => life.abort(), limitMs);
      lives.add(life);
      const end = (): void => {
        clearTimeout(timer);
        lives.delete(life);
        life.abort();
        if (reply.raw.writableFinished || toldLeft.has(reply)) return;
        toldLeft.add(reply);
        logLeft(reply);
      };
      // Of one that has left already there is nothing more to come.
      if (reply.raw.destroyed) end();
      else reply.raw.once('close', end);
      // One that was still being let in when the process began to stop is not to wait either.
      if (stopping) life.abort();
      return life.signal;
    });

    app.decorate('isStopping', () => stopping);
    app.addHook('onSend', (_request, reply, payload, done) => {
      // A connection that stayed open after its last answer would hold up the end.
      if (stopping) reply.header('Connection', 'close');
      done(null, payload);
    });
    app.addHook('preClose', async () => {
      stopping = true;
      for (const life of lives) life.abort();
    });
  },
  { name: 'request-lives' },
);
