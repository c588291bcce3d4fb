import { findProgram } from '@rexdeploy/sandbox/find-program';
import { type Browser, chromium } from 'playwright-core';

/** The system's own Chromium, without a window. */
export function startChromium(): Promise<Browser> {
  // Root has no sandbox to put it into; it only ever opens our own pages.
  const args = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  return chromium.launch({ executablePath: findProgram('chromium'), args, timeout: 60_000 });
}
