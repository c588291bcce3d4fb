import type { Notice } from './notice.js';
import type { Message } from './texts/texts.js';

/** One notice on its way, the same at every attempt. */
export interface Delivery {
  id: string;
  notice: Notice;
  message: Message;
}

/** Somebody who is told. */
export interface Notifier {
  /** @throws NotifyError when the receiver did not take it */
  send(delivery: Delivery, signal: AbortSignal): Promise<void>;
}
