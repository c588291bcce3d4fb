import { type ReactNode, useId } from 'react';
import { Icon, type IconName } from './icon.js';

interface Props {
  children: ReactNode;
  onClick: () => void;
  /** Why it cannot be pressed now; undefined: it can. */
  whyNot?: string | undefined;
  icon?: IconName;
  kind?: 'primary' | 'danger' | 'plain';
  /** Says what it is about, where several buttons have the same word. */
  label?: string;
}

/**
 * A button that says why it cannot be pressed. It stays reachable by keyboard then, so that the reason is, too.
 */
export function ActionButton({ children, onClick, whyNot, icon, kind = 'plain', label }: Props) {
  const id = useId();
  const off = whyNot !== undefined && whyNot !== '';
  return (
    <span className="action">
      <button
        type="button"
        className={`button button-${kind}`}
        aria-disabled={off}
        aria-label={label}
        aria-describedby={off ? id : undefined}
        title={off ? whyNot : undefined}
        onClick={() => {
          if (!off) onClick();
        }}
      >
        {icon === undefined ? null : <Icon name={icon} />}
        {children}
      </button>
      {off ? (
        <span id={id} className="hidden">
          {whyNot}
        </span>
      ) : null}
    </span>
  );
}
