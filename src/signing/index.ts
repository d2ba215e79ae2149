export { createChanges, type Changes } from './changes.ts'
export { createEnrolmentCodes, type EnrolmentCodes } from './enrolment-codes.ts'
export { passkeyOptions } from './open-session.ts'
export { createSigningApp } from './signing-app.ts'
