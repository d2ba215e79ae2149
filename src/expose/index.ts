export { caddyTokenFile, caddyTokenLine } from './caddyfile.ts'
export { meshEntry } from './mesh-entry.ts'
export { printExposure } from './print-exposure.ts'
