/** The dashboard speaks with the words of the commands. */
export { todayLine } from '../../../../src/cli/terminal/today-line.ts'
export { visibleText } from '../../../../src/cli/terminal/visible.ts'
export { counted, distance, duration, labelWords, moment, shortId, type Here } from '../../../../src/cli/terminal/wording.ts'
