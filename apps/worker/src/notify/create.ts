import type { ResolvedNotifier } from '@rexdeploy/shared/config/notify';
import { dingtalk } from './dingtalk.js';
import { feishu } from './feishu.js';
import type { Notifier } from './notifier.js';
import { slack } from './slack.js';
import { webhook } from './webhook.js';
import { wecom } from './wecom.js';

/** The driver of a notifier. */
export function createNotifier(notifier: ResolvedNotifier): Notifier {
  switch (notifier.type) {
    case 'webhook':
      return webhook(notifier);
    case 'wecom':
      return wecom(notifier);
    case 'dingtalk':
      return dingtalk(notifier);
    case 'feishu':
      return feishu(notifier);
    case 'slack':
      return slack(notifier);
  }
}
