import { useEffect, useState } from 'react';

export const themes = ['auto', 'light', 'dark'] as const;
export type Theme = (typeof themes)[number];
const KEPT_AS = 'rex-theme';

const isTheme = (text: string | null): text is Theme => themes.some((theme) => theme === text);

/** The colours that were chosen last; `auto` follows the system. */
export function keptTheme(): Theme {
  const kept = localStorage.getItem(KEPT_AS);
  return isTheme(kept) ? kept : 'auto';
}

export function showTheme(theme: Theme): void {
  if (theme === 'auto') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}

/** The colours, and a way to the next ones. */
export function useTheme(): [Theme, () => void] {
  const [theme, setTheme] = useState(keptTheme);
  useEffect(() => showTheme(theme), [theme]);
  const next = () => {
    const following = themes[(themes.indexOf(theme) + 1) % themes.length] ?? 'auto';
    localStorage.setItem(KEPT_AS, following);
    setTheme(following);
  };
  return [theme, next];
}
