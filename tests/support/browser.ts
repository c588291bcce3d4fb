import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import axe from 'axe-core';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { expect } from 'vitest';

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

/** Folder in which pictures are kept; absent: they are made, and nobody keeps them. */
const asked = process.env.REX_SCREENSHOTS;
if (asked !== undefined) mkdirSync(asked, { recursive: true });

/**
 * Looks at the page that is shown as everybody may see it, light and wide, dark and narrow: makes a picture, and expects
 * that nothing has to be scrolled sideways and that axe finds nothing serious. Whoever asks for the pictures gets them
 * light and narrow and dark and wide too.
 */
export async function inspect({ page }: Visitor, name: string): Promise<void> {
  const looks = [
    { scheme: 'light', width: 'wide', viewport: WIDE, axe: true },
    { scheme: 'dark', width: 'narrow', viewport: NARROW, axe: true },
    ...(asked === undefined
      ? []
      : ([
          { scheme: 'light', width: 'narrow', viewport: NARROW, axe: false },
          { scheme: 'dark', width: 'wide', viewport: WIDE, axe: false },
        ] as const)),
  ] as const;
  for (const look of looks) {
    await page.emulateMedia({ colorScheme: look.scheme, reducedMotion: 'reduce' });
    await page.setViewportSize(look.viewport);
    const path = asked === undefined ? {} : { path: join(asked, `${name}-${look.scheme}-${look.width}.png`) };
    await page.screenshot({ ...path, fullPage: true });
    const overflow = await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
    expect([name, look.width, overflow]).toEqual([name, look.width, 0]);
    if (look.axe) expect([name, look.scheme, await findings(page)]).toEqual([name, look.scheme, []]);
  }
  await page.setViewportSize(WIDE);
  await page.emulateMedia({ colorScheme: null, reducedMotion: null });
}

/** The same for a page that is not so different from others: only for those who ask for the pictures. */
export async function picture(visitor: Visitor, name: string): Promise<void> {
  if (asked !== undefined) await inspect(visitor, name);
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
    .map(
      ({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join(' | ')}`,
    );
}
