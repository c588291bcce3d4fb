import { styleText } from 'node:util';

/** Colours of a terminal; each is plain text where the terminal, or its user, wants none. */
export interface Style {
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
  cyan(text: string): string;
}

type Colour = keyof Style;

/** @param coloured `stream.hasColors()`, which knows NO_COLOR and what the terminal can show */
export function makeStyle(coloured: boolean): Style {
  const paint =
    (colour: Colour) =>
    (text: string): string =>
      coloured && text !== '' ? styleText(colour, text, { validateStream: false }) : text;
  return {
    bold: paint('bold'),
    dim: paint('dim'),
    red: paint('red'),
    green: paint('green'),
    yellow: paint('yellow'),
    cyan: paint('cyan'),
  };
}
