import { z } from 'zod';

/** A part of the document; what may stand in it is the specification's business. */
export type JsonObject = Record<string, unknown>;

const PLACE = '#/components/schemas/';

/** zod schemas as JSON Schema; those with an id are collected, and referred to wherever they are used. */
export class Schemas {
  readonly components: Record<string, JsonObject> = {};

  /** @param io what is sent (`input`) is checked before anything is made of it; what is answered (`output`) after */
  of(schema: z.ZodType, io: 'input' | 'output'): JsonObject {
    // Inside of an object, so that a schema with an id is referred to as well.
    const { properties, $defs = {} } = z.toJSONSchema(z.object({ it: schema }), { io, override });
    for (const [id, definition] of Object.entries($defs)) this.#add(id, toObject(relocated(definition)));
    return toObject(relocated(properties?.it ?? {}));
  }

  /** @throws Error when two schemas have the same id: one of them would be described wrongly */
  #add(id: string, definition: JsonObject): void {
    const known = this.components[id];
    if (known !== undefined && JSON.stringify(known) !== JSON.stringify(definition)) {
      throw new Error(`two schemas have the id ${id}`);
    }
    this.components[id] = definition;
  }
}

const toObject = (value: unknown): JsonObject => z.looseObject({}).parse(value);

/** Definitions move from `$defs` to where OpenAPI has them. */
function relocated(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(relocated);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      key === '$ref' && typeof item === 'string' ? item.replace('#/$defs/', PLACE) : relocated(item),
    ]),
  );
}

/** What OpenAPI can say and JSON Schema alone can not: by which field the kinds of a union are told apart. */
function override({
  zodSchema,
  jsonSchema,
}: {
  zodSchema: z.core.$ZodTypes;
  jsonSchema: z.core.JSONSchema.BaseSchema;
}): void {
  const { def } = zodSchema._zod;
  if (def.type === 'string' && jsonSchema.format === 'date-time') delete jsonSchema.pattern;
  if (!(zodSchema instanceof z.ZodDiscriminatedUnion)) return;
  const { discriminator, options } = zodSchema.def;
  const mapping = Object.fromEntries(options.flatMap((option) => mappedTo(option, discriminator)));
  if (Object.keys(mapping).length > 0) jsonSchema.discriminator = { propertyName: discriminator, mapping };
}

/** The values of the discriminator that mean this option; none for an option that has no id to refer to. */
function mappedTo(option: z.core.$ZodType, discriminator: string): [string, string][] {
  const id = option instanceof z.ZodType ? option.meta()?.id : undefined;
  if (id === undefined) return [];
  return [...(option._zod.propValues?.[discriminator] ?? [])].map((value) => [String(value), `${PLACE}${id}`]);
}
