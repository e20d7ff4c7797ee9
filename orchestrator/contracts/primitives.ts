import { z } from 'zod';

/** A name that is safe as a folder and as part of a URL. */
export const Slug = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, 'lower-case letters, digits, dot, dash and underscore, at most 64 characters');

export const Seed = z
  .int()
  .min(0)
  .max(2 ** 32 - 1);
export const PositiveInt = z.int().min(1);
export const Fraction = z.number().min(0).max(1);
/** Seconds since 1970, as Python's time.time() gives them. */
export const UnixSeconds = z.number();
/** One keypoint: x, y in pixels of its image, visibility 0 (absent), 1 (hidden), 2 (visible). */
export const Keypoint = z.tuple([z.number(), z.number(), z.number().min(0).max(2)]);
/** Keypoints of one person in the layout OpenPose-18. */
export const Keypoints = z.array(Keypoint).length(18);
/** A loss term's mean over the global batch; null where it was not finite. */
export const LoggedNumber = z.number().nullable();
