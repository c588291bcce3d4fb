#!/usr/bin/env node
import { existsSync } from 'node:fs';

if (existsSync(new URL('../dist/bundle/main.js', import.meta.url))) await import('../dist/bundle/main.js');
else {
  console.error('rex: not built yet; run: npm run build');
  process.exitCode = 1;
}
