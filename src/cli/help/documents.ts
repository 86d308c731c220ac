import { jsonSchema } from '../../config/profiles/json-schema.ts';
import { fileShape, profileShape } from '../../config/profiles/profile.ts';
import type { Shape } from '../../config/profiles/shape.ts';
import { projectShape } from '../../config/project.ts';
import { manPage } from './man-page.ts';

/** The files of the package that the build writes, by their paths in it. */
export function documents(): [path: string, text: string][] {
  return [
    ['man/tunnel.1', manPage()],
    ['schema/profiles.schema.json', schema(fileShape, 'The profiles of tunnel')],
    ['schema/profile.schema.json', schema(profileShape, 'A profile of tunnel')],
    ['schema/project.schema.json', schema(projectShape, 'What a project has tunnel open: tunnel.json')],
  ];
}

function schema(shape: Shape, title: string): string {
  return `${JSON.stringify(jsonSchema(shape, title), undefined, 2)}\n`;
}
