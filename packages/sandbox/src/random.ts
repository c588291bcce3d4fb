/** Numbers and contents that are the same for the same seed, on every machine. */

const WORDS = (
  'server release deploy balancer weight config session request answer user order price cart login index page template ' +
  'style script image cache queue worker journal store folder package 发布 灰度 服务 配置 订单 用户 页面 数据'
).split(' ');

export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** 0 ≤ value < 2³² (mulberry32). */
  uint32(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  }

  /** 0 ≤ value < 1. */
  fraction(): number {
    return this.uint32() / 2 ** 32;
  }

  below(limit: number): number {
    return Math.floor(this.fraction() * limit);
  }

  pick<T>(items: readonly T[]): T {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new Error('nothing to pick from');
    return item;
  }

  /** Bytes that do not compress, like images and jars. */
  bytes(count: number): Buffer {
    const words = new Uint32Array(Math.ceil(count / 4));
    for (let at = 0; at < words.length; at += 1) words[at] = this.uint32();
    return Buffer.from(words.buffer, 0, count);
  }

  /** Lines of words that compress like source code does. */
  text(count: number): Buffer {
    const lines: string[] = [];
    for (let length = 0; length < count; ) {
      const line = `${Array.from({ length: 9 }, () => this.pick(WORDS)).join(' ')} ${this.below(100_000)}\n`;
      lines.push(line);
      length += line.length;
    }
    return Buffer.from(lines.join('')).subarray(0, count);
  }
}
