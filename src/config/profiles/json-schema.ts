import type { Shape } from './shape.ts';

/** The same as JSON Schema (2020-12), for editors. What only a parser of ours can judge is not in it. */
export function jsonSchema(shape: Shape, title: string): object {
  return { $schema: 'https://json-schema.org/draft/2020-12/schema', title, ...schemaOf(shape) };
}

function schemaOf(shape: Shape): object {
  return { ...(shape.about !== undefined && { description: shape.about }), ...typeOf(shape) };
}

function typeOf(shape: Shape): object {
  switch (shape.kind) {
    case 'text':
      return { type: 'string', minLength: 1 };
    case 'number':
      return { type: 'integer', minimum: shape.least, maximum: shape.most };
    case 'boolean':
      return { type: 'boolean' };
    case 'choice':
      return { enum: shape.of };
    case 'constant':
      return { const: shape.value };
    case 'list':
      return { type: 'array', items: schemaOf(shape.of), minItems: shape.least ?? 0 };
    case 'either':
      return { anyOf: shape.of.map(schemaOf) };
    case 'map':
      return { type: 'object', additionalProperties: schemaOf(shape.of) };
    case 'object':
      return {
        type: 'object',
        properties: Object.fromEntries(
          Object.entries(shape.keys).map(([key, inner]) => [key, schemaOf(inner)]),
        ),
        required: shape.required ?? [],
        additionalProperties: false,
      };
  }
}
