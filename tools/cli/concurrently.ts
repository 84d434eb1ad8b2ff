/**
 * Runs `work` on all items, at most `count` at a time.
 * @returns the results in the order of the items. @throws the first error that `work` throws
 */
export async function concurrently<T, R>(
  count: number,
  items: readonly T[],
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  const queue = items.entries();
  const worker = async () => {
    for (const [index, item] of queue) results[index] = await work(item);
  };
  await Promise.all(Array.from({ length: count }, worker));
  return results;
}
