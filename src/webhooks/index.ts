export { secretBytes } from './secret.ts'
export { signDelivery, type SignedDelivery } from './sign-delivery.ts'
