import { useEffect, useRef } from 'react';
import { clock } from '../format.js';
import { useText } from '../i18n/text.js';

/** Within so many pixels of its end, somebody is reading the newest lines. */
const NEAR_END = 40;

/** The log of a deployment. It follows what comes, unless somebody has scrolled up to read. */
export function LogBox({ lines }: { lines: readonly string[] }) {
  const t = useText();
  const box = useRef<HTMLPreElement>(null);
  const follows = useRef(true);
  // biome-ignore lint/correctness/useExhaustiveDependencies: new lines are what it scrolls for
  useEffect(() => {
    const shown = box.current;
    if (shown !== null && follows.current) shown.scrollTop = shown.scrollHeight;
  }, [lines.length]);
  return (
    <section aria-labelledby="log">
      <h2 id="log">{t('job.log')}</h2>
      <pre
        ref={box}
        className="log"
        role="log"
        aria-live="off"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: without it the keyboard cannot scroll it
        tabIndex={0}
        aria-labelledby="log"
        onScroll={({ currentTarget: { scrollTop, scrollHeight, clientHeight } }) => {
          follows.current = scrollHeight - scrollTop - clientHeight < NEAR_END;
        }}
      >
        {lines.length === 0 ? t('job.log.empty') : lines.map(shorten).join('\n')}
      </pre>
    </section>
  );
}

/** In the time of the one who reads, as all times of the page; the day is on top of it. */
const shorten = (line: string): string =>
  line.replace(/^\S+?\.(\d+)Z /, (at, fraction: string) => `${clock(Date.parse(at.trim()))}.${fraction} `);
