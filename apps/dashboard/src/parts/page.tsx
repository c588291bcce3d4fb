import { type ReactNode, useEffect, useRef } from 'react';

/** A page: its title in the window and at its top, where the focus goes when somebody comes from another page. */
export function Page({ title, children, aside }: { title: string; children: ReactNode; aside?: ReactNode }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · Rexdeploy`;
  }, [title]);
  useEffect(() => {
    // Whoever is in the middle of typing is left there.
    if (document.activeElement === document.body || document.activeElement?.closest('nav') != null) {
      heading.current?.focus();
    }
  }, []);
  return (
    <>
      <div className="page-head">
        <h1 ref={heading} tabIndex={-1}>
          {title}
        </h1>
        {aside}
      </div>
      {children}
    </>
  );
}
