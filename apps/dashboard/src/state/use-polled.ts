import type { RexError } from '@rexdeploy/shared/errors/rex-error';
import { useCallback, useEffect, useRef, useState } from 'react';
import { errorOf } from '../api/client.js';

export interface Polled<T> {
  data: T | undefined;
  /** Of the last attempt; `data` is that of the last good one. */
  error: RexError | undefined;
  /** When `data` came, milliseconds since 1970. */
  atMs: number;
  reload(): void;
}

/**
 * Asks again and again, while somebody looks at the page. What came last stays when asking fails: at night an old table
 * that says so is worth more than none.
 * @param key asks anew when it changes
 */
export function usePolled<T>(key: string, ask: (signal: AbortSignal) => Promise<T>, everyMs?: number): Polled<T> {
  const [result, setResult] = useState<{ key: string; data?: T; error?: RexError; atMs: number }>({ key, atMs: 0 });
  const asking = useRef(ask);
  asking.current = ask;
  const [round, setRound] = useState(0);

  // biome-ignore lint/correctness/useExhaustiveDependencies: `round` asks once more
  useEffect(() => {
    const life = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const once = async (): Promise<void> => {
      try {
        const data = await asking.current(life.signal);
        if (!life.signal.aborted) setResult({ key, data, atMs: Date.now() });
      } catch (thrown) {
        if (life.signal.aborted) return;
        const error = errorOf(thrown);
        setResult((before) => (before.key === key ? { ...before, error } : { key, error, atMs: 0 }));
      }
      if (!life.signal.aborted && everyMs !== undefined) timer = setTimeout(again, everyMs);
    };
    const again = (): void => {
      if (document.visibilityState === 'visible') void once();
      else timer = setTimeout(again, everyMs);
    };
    const back = (): void => {
      if (document.visibilityState !== 'visible' || everyMs === undefined) return;
      clearTimeout(timer);
      void once();
    };
    void once();
    document.addEventListener('visibilitychange', back);
    return () => {
      life.abort();
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', back);
    };
  }, [key, everyMs, round]);

  const reload = useCallback(() => setRound((before) => before + 1), []);
  const mine = result.key === key;
  return {
    data: mine ? result.data : undefined,
    error: mine ? result.error : undefined,
    atMs: mine ? result.atMs : 0,
    reload,
  };
}
