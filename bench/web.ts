import { withoutChromium } from '../test/support/chromium.ts'
import type { Figure } from './figure.ts'
import { measureBundles } from './web-bundles.ts'
import { measureDashboardApi } from './web-dashboard-api.ts'
import { busyHouse } from './web-house.ts'
import { measurePaints } from './web-paint.ts'
import { draftsFor, measureSigningApi } from './web-signing-api.ts'

/** What makes the two pages fast: when a browser shows them, what they ask for, and what they load. */
export async function measureWeb(rounds: number, onProgress: (line: string) => void): Promise<Figure[]> {
  if (withoutChromium) throw new Error(`this bench ${withoutChromium}`)
  const bundles = measureBundles()
  const house = await busyHouse(draftsFor(rounds), onProgress)
  try {
    const signing = await measureSigningApi(house, rounds, onProgress)
    const reads = await measureDashboardApi(house, rounds, onProgress)
    return [...(await measurePaints(house, rounds, onProgress)), ...signing, ...bundles, ...reads]
  } finally {
    await house.stop()
  }
}
