import type { FastifyInstance } from 'fastify';

/** Nothing from outside, and in nobody's frame. */
const POLICY = {
  'default-src': "'self'",
  'base-uri': "'none'",
  'form-action': "'self'",
  'frame-ancestors': "'none'",
  'object-src': "'none'",
};

const HEADERS = {
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  // An address may hold a token; nobody else shall learn it.
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Permissions-Policy': 'camera=(), geolocation=(), microphone=()',
};

/**
 * Sets the security headers on all routes that are added to this instance.
 * @param loosened parts of the Content-Security-Policy that somebody else's pages cannot do with
 */
export function addPageHeaders(app: FastifyInstance, loosened: Readonly<Record<string, string>> = {}): void {
  const policy = Object.entries({ ...POLICY, ...loosened })
    .map((part) => part.join(' '))
    .join('; ');
  app.addHook('onRequest', async (_request, reply) => {
    reply.headers({ ...HEADERS, 'Content-Security-Policy': policy });
  });
}
