import { createContext, type ReactNode, useContext, useEffect, useMemo, useState } from 'react';
import { type Dictionary, en, type TextKey } from './en.js';
import { zh } from './zh.js';

export type Language = 'en' | 'zh';
const DICTIONARIES: Readonly<Record<Language, Dictionary>> = { en, zh };
const KEPT_AS = 'rex-language';

/** Gives a text of the dictionary, its `{…}` filled in. */
export type Text = (key: TextKey, values?: Readonly<Record<string, string | number>>) => string;

interface Texts {
  t: Text;
  language: Language;
  setLanguage(language: Language): void;
}

export function makeText(language: Language): Text {
  return (key, values = {}) =>
    DICTIONARIES[language][key].replaceAll(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

const TextContext = createContext<Texts>({ t: makeText('en'), language: 'en', setLanguage: () => undefined });

/** The language that was chosen last, else the browser's. */
function firstLanguage(): Language {
  const kept = localStorage.getItem(KEPT_AS);
  if (kept === 'en' || kept === 'zh') return kept;
  return navigator.language.toLowerCase().startsWith('zh') ? 'zh' : 'en';
}

export function TextProvider({ children }: { children: ReactNode }) {
  const [language, choose] = useState(firstLanguage);
  useEffect(() => {
    document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en';
  }, [language]);
  const texts = useMemo<Texts>(
    () => ({
      t: makeText(language),
      language,
      setLanguage: (next) => {
        localStorage.setItem(KEPT_AS, next);
        choose(next);
      },
    }),
    [language],
  );
  return <TextContext value={texts}>{children}</TextContext>;
}

export const useTexts = (): Texts => useContext(TextContext);
export const useText = (): Text => useTexts().t;
