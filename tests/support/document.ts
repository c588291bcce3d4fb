import { Ajv2020 } from 'ajv/dist/2020.js';
import { z } from 'zod';

const contentSchema = z.looseObject({
  schema: z.unknown(),
  examples: z.record(z.string(), z.looseObject({ value: z.unknown() })).optional(),
});
const answerSchema = z.looseObject({
  $ref: z.string().optional(),
  content: z.record(z.string(), contentSchema).optional(),
});
const operationSchema = z.looseObject({
  summary: z.string(),
  security: z.array(z.record(z.string(), z.unknown())),
  requestBody: z.looseObject({ content: z.record(z.string(), contentSchema) }).optional(),
  responses: z.record(z.string(), answerSchema),
});
const documentSchema = z.looseObject({
  paths: z.record(z.string(), z.record(z.string(), operationSchema)),
  components: z.looseObject({
    schemas: z.record(z.string(), z.looseObject({})),
    responses: z.record(z.string(), answerSchema),
  }),
});
type Operation = z.infer<typeof operationSchema>;

/** An OpenAPI document as somebody reads it who knows nothing of how it was made. */
export class OpenApi {
  readonly #document: z.infer<typeof documentSchema>;
  readonly #ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });

  constructor(document: unknown) {
    this.#document = documentSchema.parse(document);
    this.#ajv.addSchema(this.#document, 'document');
  }

  get schemas() {
    return this.#document.components.schemas;
  }

  /** Every operation, as `GET /jobs/{id}`. */
  get operations(): Map<string, Operation> {
    const entries = Object.entries(this.#document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => [`${method.toUpperCase()} ${path}`, operation] as const),
    );
    return new Map(entries);
  }

  /** What is wrong with an answer by the document; empty when all is as it says. */
  faultsOf(operation: string, status: number, media: string, body: unknown): string[] {
    const [method = '', path = ''] = operation.split(' ');
    const told = this.operations.get(operation)?.responses[status];
    if (told === undefined) return [`${operation} does not tell of status ${status}`];
    const [, name] = /^#\/components\/responses\/(\w+)$/.exec(told.$ref ?? '') ?? [];
    const place = name
      ? ['components', 'responses', name]
      : ['paths', path, method.toLowerCase(), 'responses', String(status)];
    const { content = {} } = name ? (this.#document.components.responses[name] ?? {}) : told;
    if (content[media] === undefined) return [`${operation} ${status} is not told to be ${media}`];
    return this.#check([...place, 'content', media, 'schema'], body);
  }

  #check(place: readonly string[], value: unknown): string[] {
    const pointer = place.map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/');
    const validate = this.#ajv.getSchema(`document#/${pointer}`);
    if (validate === undefined) return [`there is no ${pointer}`];
    if (validate(value)) return [];
    return (validate.errors ?? []).map(
      (error) => `${error.instancePath} ${error.message} ${JSON.stringify(error.params)}`,
    );
  }
}
