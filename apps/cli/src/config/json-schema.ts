import { balancerSchema } from '@rexdeploy/shared/config/balancer';
import { healthSchema } from '@rexdeploy/shared/config/health';
import { durationMs, sizeBytes } from '@rexdeploy/shared/config/primitives';
import { configSchema } from '@rexdeploy/shared/config/schema';
import { sshSchema } from '@rexdeploy/shared/config/ssh';
import { z } from 'zod';
import { durationAsWritten, sizeAsWritten } from './as-written.js';

/** As much of JSON Schema as ours uses. */
export interface JsonSchema {
  type?: string;
  properties?: Record<string, JsonSchema>;
  additionalProperties?: JsonSchema | boolean;
  items?: JsonSchema;
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  required?: string[];
  default?: unknown;
  $ref?: string;
  $defs?: Record<string, JsonSchema>;
  [further: string]: unknown;
}

/** Sections that environment, name and instance may each give in part. */
const INHERITED = new Map<string, z.ZodType>([
  ['ssh', sshSchema],
  ['balancer', balancerSchema],
  ['health', healthSchema],
]);

/** The JSON Schema of `config.yml` as people write it, made from the schema that checks it. */
export function configJsonSchema(): JsonSchema {
  const schema = written(configSchema);
  // This default is the machine's own zone, which is no part of the format.
  delete schema.properties?.timezone?.default;
  const sections = [...INHERITED].map(([key, section]) => [key, inPart(written(section))]);
  return { ...schema, title: 'Rexdeploy config.yml', $defs: Object.fromEntries(sections) };
}

/** A schema of the text in the file, before anything is converted. */
function written(schema: z.ZodType): JsonSchema {
  const json = z.toJSONSchema(schema, {
    io: 'input',
    override: ({ zodSchema, jsonSchema }) => asWritten(zodSchema, jsonSchema as JsonSchema),
  }) as JsonSchema;
  linkInherited(json);
  return json;
}

function asWritten(zodSchema: z.core.$ZodTypes, jsonSchema: JsonSchema): void {
  const { def } = zodSchema._zod;
  // zod leaves these defaults out, because it holds them converted.
  if (def.type === 'default') jsonSchema.default = defaultAsWritten(def.innerType, def.defaultValue);
  // An empty section only says that its keys have defaults of their own.
  if (def.type === 'prefault') delete jsonSchema.default;
  // `${VAR}` may stand for a number or a flag, and is text until it is filled in.
  if (def.type === 'pipe' && (jsonSchema.type === 'integer' || jsonSchema.type === 'boolean'))
    allowVariable(jsonSchema);
}

function defaultAsWritten(schema: z.core.$ZodType, value: unknown): unknown {
  if (typeof value !== 'number') return value;
  if (schema === durationMs) return durationAsWritten(value);
  return schema === sizeBytes ? sizeAsWritten(value) : value;
}

function allowVariable(schema: JsonSchema): void {
  const { type, minimum, maximum, ...rest } = schema;
  for (const key of Object.keys(schema)) delete schema[key];
  const bounds = type === 'integer' ? { minimum, maximum } : {};
  Object.assign(schema, rest, { anyOf: [{ type, ...bounds }, { type: 'string' }] });
}

/** Puts references in place of the sections that the config schema itself leaves open until they are merged. */
function linkInherited(schema: JsonSchema): void {
  for (const [key, property] of Object.entries(schema.properties ?? {})) {
    if (INHERITED.has(key)) schema.properties = { ...schema.properties, [key]: { $ref: `#/$defs/${key}` } };
    else linkInherited(property);
  }
  if (typeof schema.additionalProperties === 'object') linkInherited(schema.additionalProperties);
  for (const alternative of schema.oneOf ?? schema.anyOf ?? []) linkInherited(alternative);
}

/** The same section with nothing required: what one level leaves out, another may give. */
function inPart(section: JsonSchema): JsonSchema {
  const { $schema: _, required: __, oneOf, ...rest } = section;
  return oneOf === undefined ? rest : { ...rest, anyOf: oneOf.map(inPart) };
}
