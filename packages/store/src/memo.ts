/** Remembers what a function of something that never changes came to, for as long as that is in use elsewhere. */
export function memo<A extends object, R>(make: (a: A) => R): (a: A) => R {
  const made = new WeakMap<A, { result: R }>();
  return (a) => {
    const known = made.get(a);
    if (known !== undefined) return known.result;
    const result = make(a);
    made.set(a, { result });
    return result;
  };
}

/** The same for two. */
export function memoOfTwo<A extends object, B extends object, R>(make: (a: A, b: B) => R): (a: A, b: B) => R {
  const of = memo((a: A) => memo((b: B) => make(a, b)));
  return (a, b) => of(a)(b);
}
