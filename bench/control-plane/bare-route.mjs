/** `node bare-route.mjs <file>`: what fastify does at most: one route that gives the file's JSON as an object. */
import { readFileSync } from 'node:fs';
import fastify from 'fastify';

const answer = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const app = fastify();
app.get('/jobs/:id', async () => answer);
process.stdout.write(`listening on ${await app.listen({ host: '127.0.0.1', port: 0 })}\n`);
