import type { ConfigIssue } from '../errors/config-error.js';

const VARIABLE = /\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}/g;
/** Keys whose value must come from the environment, so that no secret stands in the file. */
const SECRETS = new Set(['password', 'passphrase']);

/**
 * Fills `${VAR}` and `${VAR:-default}` into every text of a parsed document.
 * @returns the document, and one issue for each variable that is missing or secret that is written out
 */
export function interpolate(
  document: unknown,
  variables: Readonly<Record<string, string | undefined>>,
): { document: unknown; issues: ConfigIssue[] } {
  const issues: ConfigIssue[] = [];

  const visit = (node: unknown, path: string[]): unknown => {
    if (typeof node === 'string') return fill(node, path);
    if (Array.isArray(node)) return node.map((item, index) => visit(item, [...path, String(index)]));
    if (node !== null && typeof node === 'object') {
      return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, visit(value, [...path, key])]));
    }
    return node;
  };

  const fill = (text: string, path: string[]): string => {
    if (SECRETS.has(path.at(-1) ?? '') && !/^\$\{[^}]+\}$/.test(text)) {
      issues.push({
        path: path.join('.'),
        found: 'a secret in the file',
        expected: '"${VARIABLE}", from the environment',
      });
    }
    return text.replaceAll(VARIABLE, (_, name: string, fallback: string | undefined) => {
      const value = variables[name];
      if (value !== undefined && value !== '') return value;
      if (fallback !== undefined) return fallback;
      issues.push({
        path: path.join('.'),
        found: `\${${name}}, which is not set`,
        expected: `the environment variable ${name}, or \${${name}:-default}`,
      });
      return '';
    });
  };

  return { document: visit(document, []), issues };
}
