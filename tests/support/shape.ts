/** Every path of a document with the type that stands there, e.g. `data.data.0.code: string`. */
export function shapeOf(value: unknown, path = ''): string[] {
  if (value === null || typeof value !== 'object') return [`${path}: ${value === null ? 'null' : typeof value}`];
  const entries = Object.entries(value);
  const own = `${path}: ${Array.isArray(value) ? 'array' : 'object'}`;
  return [own, ...entries.flatMap(([key, item]) => shapeOf(item, path === '' ? key : `${path}.${key}`))];
}
