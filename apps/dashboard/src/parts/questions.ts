import { api } from '../api/client.js';
import type { Text } from '../i18n/text.js';
import { goTo, hrefOf } from '../router.js';
import type { Question } from './confirm-dialog.js';

type Control = 'hold' | 'resume' | 'cancel';

/** What is asked before a job is held, resumed or cancelled. */
export const controlQuestion = (t: Text, control: Control, id: string, k: string): Question => ({
  title: t(`confirm.${control}.title`, { k }),
  text: t(`confirm.${control}.text`),
  yes: t(`confirm.${control}.yes`),
  ...(control === 'cancel' ? { danger: true, no: t('confirm.cancel.no') } : {}),
  onYes: async () => {
    await api.call(`POST /jobs/:id/${control}`, { params: { id } });
  },
});

/** What is asked before a name goes back to its former release; the page of the roll-back is shown then. */
export const rollbackQuestion = (t: Text, k: string): Question => ({
  title: t('confirm.rollback.title', { k }),
  text: t('confirm.rollback.text'),
  yes: t('confirm.rollback.yes'),
  danger: true,
  onYes: async () => {
    const { job } = await api.rex({ action: 'rollback', k });
    goTo(hrefOf(['jobs', job.id]));
  },
});
