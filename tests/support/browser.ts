import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProgram } from '@rexdeploy/sandbox/find-program';
import axe from 'axe-core';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { expect } from 'vitest';

/** A real Chromium, with nothing of anybody's in it. */
export async function startBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: findChromium(),
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

function findChromium(): string {
  const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
  for (const name of names) {
    try {
      return findProgram(name);
    } catch {
      // Another distribution calls it something else.
    }
  }
  throw new Error(`none of ${names.join(', ')} is installed`);
}

/** Somebody at the dashboard. */
export interface Visitor {
  context: BrowserContext;
  page: Page;
  /** What the browser complained about, and what it asked of others. */
  complaints: string[];
}

/** A browser of its own for somebody who is not logged in. */
export async function visit(browser: Browser, url: string): Promise<Visitor> {
  const context = await browser.newContext({ baseURL: url, locale: 'en-GB', viewport: WIDE });
  context.setDefaultTimeout(45_000);
  await context.addInitScript({ content: axe.source });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => {
    // A refusal is shown by the page; that the browser notes it too is no fault.
    if (message.type() === 'error' && !/status of 4\d\d/.test(message.text())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('request', (request) => {
    if (new URL(request.url()).origin !== url) complaints.push(`asked for ${request.url()}`);
  });
  return { context, page, complaints };
}

/** The same for somebody who is, as the log-in leaves it. */
export async function visitAs(browser: Browser, url: string, token: string): Promise<Visitor> {
  const visitor = await visit(browser, url);
  const { hostname } = new URL(url);
  const cookie = { name: 'rex_session', value: token, domain: hostname, path: '/', httpOnly: true } as const;
  await visitor.context.addCookies([{ ...cookie, sameSite: 'Strict' }]);
  return visitor;
}

const WIDE = { width: 1280, height: 860 };
const NARROW = { width: 360, height: 740 };

let shots: string | undefined;
/** REX_SCREENSHOTS, or a folder for temporary things. */
const folder = (): string => {
  shots ??= process.env.REX_SCREENSHOTS ?? mkdtempSync(join(tmpdir(), 'rex-screenshots-'));
  mkdirSync(shots, { recursive: true });
  return shots;
};

/**
 * Looks at the page that is shown as everybody may see it, light and dark, wide and narrow: keeps a picture of each, and
 * expects that nothing has to be scrolled sideways and that axe finds nothing serious.
 */
export async function inspect({ page }: Visitor, name: string): Promise<void> {
  for (const scheme of ['light', 'dark'] as const) {
    for (const [width, viewport] of Object.entries({ wide: WIDE, narrow: NARROW })) {
      await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' });
      await page.setViewportSize(viewport);
      await page.screenshot({ path: join(folder(), `${name}-${scheme}-${width}.png`), fullPage: true });
      const overflow = await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
      expect([name, width, overflow]).toEqual([name, width, 0]);
      // What axe looks at changes with the colours and with the layout, each of which is seen in one of these two.
      if ((scheme === 'light') === (width === 'wide')) expect([name, scheme, await findings(page)]).toEqual([name, scheme, []]);
    }
  }
  await page.setViewportSize(WIDE);
  await page.emulateMedia({ colorScheme: null, reducedMotion: null });
}

interface Finding {
  id: string;
  impact: string;
  nodes: { html: string; failureSummary: string }[];
}

async function findings(page: Page): Promise<string[]> {
  const run = "axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations)";
  const found = (await page.evaluate(run)) as Finding[];
  return found
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join(' | ')}`);
}
