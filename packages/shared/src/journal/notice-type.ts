import { z } from 'zod';

/** What people can be told of. Apart from how they are told, so that journals can be read where there is no Node. */
export const noticeTypeSchema = z.enum(['started', 'batch', 'held', 'failed', 'finished']);
export type NoticeType = z.infer<typeof noticeTypeSchema>;
