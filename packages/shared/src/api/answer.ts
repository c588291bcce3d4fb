import { messages } from '../errors/messages.js';
import type { RexError } from '../errors/rex-error.js';
import { commandLine, requestCommand } from '../journal/command-line.js';
import type { EnvelopeSettings } from '../journal/envelope.js';
import type { Envelope, JobView, Leaves } from './envelope-schema.js';

/** Everything around the data of an answer that is not a deployment's. */
interface Frame {
  /** Parameters as received, token masked. */
  param: Record<string, string>;
  settings: Pick<EnvelopeSettings, 'printStdout' | 'directory'>;
  takeMs: number;
  job?: JobView | undefined;
}

/** A good answer of a route that is no deployment: the documented envelope around `data`. */
export function answer(frame: Frame, data: { data: Leaves; msg: string; [further: string]: Leaves }): Envelope {
  return {
    code: '0',
    data: { code: '0', ...data },
    ...surroundings(frame, { code: '0', msg: messages.parametersOk }),
  };
}

/**
 * A refusal. `parametersAtFault` tells whether `parseparameters` takes the blame (status 400).
 * @param message the contract's sentence, where it has one for this case
 */
export function refusal(frame: Frame, error: RexError, parametersAtFault: boolean, message = error.message): Envelope {
  const msg = parametersAtFault ? messages.parametersFailed(message) : message;
  const parsed = parametersAtFault ? { code: '-1', msg: message } : { code: '0', msg: messages.parametersOk };
  const rest = surroundings(frame, parsed);
  return {
    code: '-1',
    msg,
    data: { code: '-1', data: {}, msg },
    ...rest,
    respon: { ...rest.respon, code: '0', msg: messages.notExecuted, ret: '1', stderr: msg },
  };
}

function surroundings(frame: Frame, parsed: { code: string; msg: string }) {
  // Routes other than POST /rex have no action, and no words of the original's for what was asked.
  const understood = parsed.code === '0' && (frame.param.action ?? '') !== '';
  return {
    param: frame.param,
    parseparameters: { ...parsed, precmd: '', requestCmd: understood ? requestCommand(frame.param) : '' },
    print_stdout: String(frame.settings.printStdout),
    respon: {
      chdir: frame.settings.directory,
      cmd: understood ? commandLine(frame.param) : '',
      code: '1',
      msg: messages.executed,
      ret: '0',
      stderr: '',
      stdout: '',
    },
    take: String(Math.round(frame.takeMs / 1000)),
    ...(frame.job === undefined ? {} : { job: frame.job }),
  };
}
