export { TokenBucket, TokenBuckets, type Rate } from '#libs/kernel';
