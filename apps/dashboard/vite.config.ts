import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

/** Where `npx vite` finds an API while somebody works on the pages. */
const API = process.env.REX_SERVER ?? 'http://127.0.0.1:3000';

export default defineConfig({
  plugins: [react()],
  build: {
    // Pictures inside of style sheets would need a weaker Content-Security-Policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1024,
  },
  server: {
    proxy: Object.fromEntries(
      ['session', 'names', 'drained', 'jobs', 'packages', 'tokens', 'rex', 'admin'].map((path) => [`/${path}`, API]),
    ),
  },
});
