/** Tokens as they may be stored and shown: the ten digits, an ellipsis, the last four letters. */
export function maskToken(token: string): string {
  return token.length <= 14 ? '…' : `${token.slice(0, 10)}…${token.slice(-4)}`;
}

const TOKEN_IN_TEXT = /(\d{10})[a-z]{28}([a-z]{4})/g;

/** Masks every token inside a text, for logs and addresses. */
export const maskTokensIn = (text: string): string => text.replaceAll(TOKEN_IN_TEXT, '$1…$2');

/** Query parameters that let others in, as signed addresses have them; also inside an address that is itself encoded. */
const SECRET_IN_QUERY =
  /((?:[?&]|%3F|%26)[\w.-]*(?:sig|token|secret|passw|pwd|credential|auth|key)[\w.-]*(?:=|%3D))((?:(?!%26|%23)[^&#\s"'\\<>])+)/gi;

/** Masks all that must not be stored or shown: tokens of ours, and secrets in the queries of addresses. */
export const maskSecretsIn = (text: string): string =>
  maskTokensIn(text).replaceAll(SECRET_IN_QUERY, (whole, name: string, value: string) =>
    value.includes('…') ? whole : `${name}…`,
  );
