/** Tokens as they may be stored and shown: the ten digits, an ellipsis, the last four letters. */
export function maskToken(token: string): string {
  return token.length <= 14 ? '…' : `${token.slice(0, 10)}…${token.slice(-4)}`;
}

const TOKEN_IN_TEXT = /(\d{10})[a-z]{28}([a-z]{4})/g;

/** Masks every token inside a text, for logs and addresses. */
export const maskTokensIn = (text: string): string => text.replaceAll(TOKEN_IN_TEXT, '$1…$2');
