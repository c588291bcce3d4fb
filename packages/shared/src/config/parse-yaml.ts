import { load } from 'js-yaml';

/** Any YAML document as plain values. @throws YAMLException where it is none */
export const parseYaml = (text: string): unknown => load(text);
