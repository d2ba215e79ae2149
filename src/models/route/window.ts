/** How much was taken in the last minute, hour or day: any minute, not one from a full minute to the next. */
export interface Window {
  /** Milliseconds until so much more is within `most`; 0: now. What is more than `most` alone has room once nothing else is in. */
  waitFor(amount: number, most: number, now: number): number
  /** Negative: gives back. */
  add(amount: number, at: number): void
}

const parts = 60

/** `span`: milliseconds. It is counted in sixtieths, and a sixtieth leaves as a whole: never more than was allowed, at times a little less. */
export function createWindow(span: number): Window {
  const size = span / parts
  const counts = new Float64Array(parts + 1)
  /** The sixtieth that was last written in, counted from the beginning of the clock. */
  let latest = Number.NEGATIVE_INFINITY

  function goOn(part: number): void {
    if (part <= latest) return
    if (part - latest > parts) counts.fill(0)
    else for (let passed = latest + 1; passed <= part; passed += 1) counts[slotOf(passed)] = 0
    latest = part
  }

  return {
    waitFor(amount, most, now) {
      goOn(Math.floor(now / size))
      let taken = counts.reduce((sum, count) => sum + count, 0)
      if (taken + amount <= most || taken === 0) return 0
      for (let part = latest - parts; part <= latest; part += 1) {
        taken -= counts[slotOf(part)]!
        if (taken + amount <= most || taken <= 0) return Math.max(1, (part + parts + 1) * size - now)
      }
      return span
    },
    add(amount, at) {
      const part = Math.floor(at / size)
      goOn(part)
      if (part < latest - parts) return
      // what is given back was taken a while ago, perhaps in a part that is out already
      counts[slotOf(part)] = Math.max(0, counts[slotOf(part)]! + amount)
    },
  }
}

function slotOf(part: number): number {
  return ((part % (parts + 1)) + parts + 1) % (parts + 1)
}
