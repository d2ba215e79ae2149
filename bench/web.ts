import type { Figure } from './figure.ts'
import { measureBundles } from './web-bundles.ts'
import { measureDashboardApi } from './web-dashboard-api.ts'

type Part = (rounds: number, onProgress: (line: string) => void) => Promise<Figure[]>

/** What makes the two pages fast, part by part. Each part stands alone, and one more is one more line. */
const parts: readonly Part[] = [measureDashboardApi, async () => measureBundles()]

/** The pages and what they ask for. */
export async function measureWeb(rounds: number, onProgress: (line: string) => void): Promise<Figure[]> {
  const figures: Figure[] = []
  for (const measure of parts) figures.push(...(await measure(rounds, onProgress)))
  return figures
}
