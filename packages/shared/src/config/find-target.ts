import { NotFoundError, ParameterError } from '../errors/request-errors.js';
import { IDENTIFIER } from './primitives.js';
import type { ResolvedEnvironment, Target } from './resolved.js';

/**
 * What `k` of a request names: a whole name, or instance keys of one name, rolled in the order given, each its own batch.
 * @throws ParameterError when `k` is malformed or mixes names; NotFoundError when nothing is called that
 */
export function findTarget(environment: ResolvedEnvironment, k: string): Target {
  const words = k.split(' ').filter((word) => word !== '');
  const wrong = words.find((word) => !IDENTIFIER.test(word));
  if (words.length === 0 || wrong !== undefined || k.length > 4096) {
    const shown = JSON.stringify((wrong ?? k).slice(0, 80));
    throw new ParameterError({
      what: `k=${shown} is not a name: letters, digits, "_", "." and "-", at most 64 characters; several instance keys are separated by spaces`,
    });
  }
  const [first = ''] = words;
  const name = environment.names.get(first);
  if (name !== undefined && words.length === 1) return { name, batches: name.batches };
  return instancesOfOneName(environment, words);
}

function instancesOfOneName(environment: ResolvedEnvironment, words: string[]): Target {
  const owners = words.map((word) => [...environment.names.values()].find((name) => name.instances.has(word)));
  const unknown = words.findIndex((_, index) => owners[index] === undefined);
  if (unknown >= 0) {
    const word = words[unknown];
    if (word !== undefined && environment.names.has(word)) {
      throw new ParameterError({ what: `k names "${word}" and more: give one name, or instance keys of one name` });
    }
    const known = [...environment.names.keys()].join(', ') || 'none';
    throw new NotFoundError({
      what: `"${word}" is neither a name nor an instance of environment ${environment.key}`,
      whatToDo: `names are: ${known}`,
    });
  }
  const [name] = owners;
  if (name === undefined || owners.some((owner) => owner !== name)) {
    const list = words.map((word, index) => `${word} of ${owners[index]?.k}`).join(', ');
    throw new ParameterError({ what: `k holds instances of different names (${list}); they go in separate requests` });
  }
  const twice = words.find((word, index) => words.indexOf(word) !== index);
  if (twice !== undefined) throw new ParameterError({ what: `k holds "${twice}" twice` });
  return { name, batches: words.map((word) => [word]) };
}
