import type { JobAnswer } from '@rexdeploy/shared/api/job-answer';
import { useText } from '../i18n/text.js';
import { CopyButton } from './copy-button.js';

/** The documented answer, to look at and to copy. */
export function AnswerBox({ answer }: { answer: JobAnswer | undefined }) {
  const t = useText();
  if (answer === undefined) return null;
  const text = JSON.stringify(answer, null, 2);
  return (
    <section aria-labelledby="answer">
      <div className="row row-spread">
        <h2 id="answer">{t('job.answer')}</h2>
        <CopyButton text={text} />
      </div>
      <details>
        <summary>{t('job.answer.hint')}</summary>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: without it the keyboard cannot scroll it */}
        <pre className="log" tabIndex={0}>
          {text}
        </pre>
      </details>
    </section>
  );
}
