import type { AnswerOf } from '@rexdeploy/shared/api/routes';
import { allowsName, mayDeploy } from '@rexdeploy/shared/token-scope';
import { createContext, useContext } from 'react';
import type { Text } from '../i18n/text.js';

/** Who is logged in, and what the token is for. The API decides; the pages only say beforehand what it will. */
export type Session = AnswerOf<'GET /session'>['data'];

export const SessionContext = createContext<Session | undefined>(undefined);

/** Within the pages that are shown to those who are logged in. */
export function useSession(): Session {
  const session = useContext(SessionContext);
  if (session === undefined) throw new Error('this page is for those who are logged in');
  return session;
}

/** Why the token may not change a name; undefined when it may. */
export function whyNot({ role, names }: Session, t: Text, k: string | undefined): string | undefined {
  if (!mayDeploy(role)) return t('may.viewer');
  if (k !== undefined && !allowsName({ names }, k)) return t('may.name', { names, k });
  return undefined;
}
