/**
 * Does together what is asked for at the same time: calls that come while a batch is under way wait for the next one,
 * so a lone call pays nothing and a crowd shares one transaction. A batch that fails is done again one by one,
 * so that one bad item fails alone.
 * @param work takes items and returns their results in the same order
 * @param limit items in a batch at most
 * @param lanes batches that may be under way at once
 * @param gather when a batch begins: at once after what is running now; with `setImmediate`, after all that has arrived by now was heard; with a timer, when so much time has passed
 */
export function batched<I, O>(work: (items: readonly I[]) => Promise<readonly O[]>, limit = 64, lanes = 1, gather: (begin: () => void) => void = queueMicrotask): (item: I) => Promise<O> {
  const waiting: { item: I; resolve: (result: O) => void; reject: (error: unknown) => void }[] = []
  let busy = 0

  async function flush(): Promise<void> {
    const batch = waiting.splice(0, limit)
    try {
      const results = await work(batch.map(({ item }) => item))
      for (const [index, { resolve }] of batch.entries()) resolve(results[index]!)
    } catch (error) {
      if (batch.length === 1) batch[0]!.reject(error)
      else await Promise.all(batch.map(({ item, resolve, reject }) => work([item]).then(([result]) => resolve(result!), reject)))
    }
    if (waiting.length > 0) gather(() => void flush())
    else busy--
  }

  return (item) =>
    new Promise((resolve, reject) => {
      waiting.push({ item, resolve, reject })
      if (busy < lanes) {
        busy++
        // everything that is asked for in the same turn of the event loop belongs together
        gather(() => void flush())
      }
    })
}
