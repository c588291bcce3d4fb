import { describe, expect, test } from 'vitest';
import type { Balancer } from './balancer.js';

/** A driver beside the balancer it drives. */
export interface BalancerUnderTest {
  balancer: Balancer;
  /** The driver of an instance that the balancer does not know, and what the error must name. */
  stranger: Balancer;
  strangerError: RegExp;
  /** Whether requests are sent to the instance, not asked through the driver. */
  isIn(): Promise<boolean>;
  /** Takes the instance out of rotation, or puts it back, as an operator does without us. */
  setByHand(inRotation: boolean): Promise<void>;
}

/** What every balancer promises. @param open gives the instance in rotation */
export function describeBalancer(name: string, open: () => Promise<BalancerUnderTest>): void {
  const { signal } = new AbortController();

  describe(name, () => {
    test('takes an instance out and gives back exactly what was found', async () => {
      const { balancer, isIn } = await open();
      const found = await balancer.look(signal);
      expect(found.in).toBe(true);
      await balancer.takeOut(found, signal);
      expect((await balancer.look(signal)).in).toBe(false);
      expect(await isIn()).toBe(false);
      await balancer.giveBack(found, signal);
      expect(await balancer.look(signal)).toEqual(found);
      expect(await isIn()).toBe(true);
    });

    test('may be told everything twice, as a roll-out that was interrupted does', async () => {
      const { balancer, isIn } = await open();
      const found = await balancer.look(signal);
      await balancer.giveBack(found, signal);
      expect(await balancer.look(signal)).toEqual(found);
      await balancer.takeOut(found, signal);
      await balancer.takeOut(found, signal);
      expect(await isIn()).toBe(false);
      await balancer.giveBack(found, signal);
      await balancer.giveBack(found, signal);
      expect(await balancer.look(signal)).toEqual(found);
    });

    test('leaves an instance out that somebody else has taken out', async () => {
      const { balancer, isIn, setByHand } = await open();
      await setByHand(false);
      const found = await balancer.look(signal);
      expect(found.in).toBe(false);
      await balancer.takeOut(found, signal);
      await balancer.giveBack(found, signal);
      expect(await balancer.look(signal)).toEqual(found);
      expect(await isIn()).toBe(false);
      await setByHand(true);
    });

    test('sets a weight, of an instance that is out too, and puts back what was there', async () => {
      const { balancer } = await open();
      const { weights } = balancer;
      if (weights === undefined) throw new Error('a driver under test takes weights');
      const found = await balancer.look(signal);
      await weights.put(found, 3, signal);
      expect(await balancer.look(signal)).toMatchObject({ in: true, weight: 3 });
      await weights.undo(found, 3, signal);
      expect(await balancer.look(signal)).toEqual(found);

      await balancer.takeOut(found, signal);
      const out = await balancer.look(signal);
      await weights.put(out, 5, signal);
      await weights.put(out, 5, signal);
      expect(await balancer.look(signal)).toMatchObject({ in: true, weight: 5 });
      await weights.undo(out, 5, signal);
      expect((await balancer.look(signal)).in).toBe(false);
      await balancer.giveBack(found, signal);
      expect(await balancer.look(signal)).toEqual(found);
    });

    test('an instance that it does not know is an error that says so', async () => {
      const { stranger, strangerError } = await open();
      await expect(stranger.look(signal)).rejects.toMatchObject({ code: 'balancer', message: strangerError });
    });

    test('ends at once when it is cancelled', async () => {
      const { balancer } = await open();
      const found = await balancer.look(signal);
      await expect(balancer.takeOut(found, AbortSignal.abort())).rejects.toThrow();
      expect(await balancer.look(signal)).toEqual(found);
    });
  });
}
