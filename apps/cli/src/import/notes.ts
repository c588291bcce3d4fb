/** Everything that could not be carried over, in the order in which it was met; each thing once. */
export class Notes {
  readonly #lines: string[] = [];

  add(line: string): void {
    const text = oneLine(line);
    if (!this.#lines.includes(text)) this.#lines.push(text);
  }

  get lines(): readonly string[] {
    return this.#lines;
  }
}

/** Line breaks of the database would end a comment. */
export const oneLine = (text: string): string =>
  text.replaceAll(/[\p{Cc}\u2028\u2029]/gu, (char) => JSON.stringify(char).slice(1, -1));

const SECRET_NAME = /pass|pwd|secret|token|credential|private|auth|cookie|api[-_]?key|^key$/i;

/** May the value under this name be a secret? */
export const isSecretName = (name: string): boolean => SECRET_NAME.test(name);

/** Does a text hold something that looks like one, such as `"password":` or `//user:word@`? */
export const holdsSecret = (text: string): boolean =>
  /(pass(word|wd)?|pwd|secret|token|api[-_]?key|credential)["']?\s*[=:]/i.test(text) ||
  /[?&](key|sign|access_token)=/i.test(text) ||
  /\/\/[^/\s]*:[^/\s]*@/.test(text);

/** A value as it may be told. */
export const tellable = (name: string, value: string): string =>
  isSecretName(name) || holdsSecret(value) ? '(not written: it may be a secret)' : JSON.stringify(value);
