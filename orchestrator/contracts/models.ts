import { z } from 'zod';

/** θ: the frozen text-to-image model. */
export const Backbone = z.strictObject({
  path: z
    .string()
    .min(1)
    .default('mini')
    .describe(
      '`mini` for the models that are shipped, or a diffusers folder (text_encoder, tokenizer, unet, vae, scheduler).',
    ),
});
export type Backbone = z.output<typeof Backbone>;

/** Φ1: the frozen primary adapter, from which the secondary one starts. */
export const Adapter = z.strictObject({
  kind: z.enum(['t2i_adapter']).default('t2i_adapter'),
  path: z
    .string()
    .min(1)
    .default('mini')
    .describe('`mini` and `mini-dots` for those that are shipped, or a folder made by save_pretrained.'),
  conditioning_scale: z
    .number()
    .min(0)
    .max(2)
    .default(1)
    .describe('Factor on the features (adapter_conditioning_scale).'),
});
export type Adapter = z.output<typeof Adapter>;

/** Ψ: a differentiable keypoint detector. */
export const Detector = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('mini') }).describe('The shipped net that sees drawn figures; the one in the loss.'),
  z
    .strictObject({ kind: z.literal('mini-judge') })
    .describe('The shipped net of another architecture and seed, for judging.'),
  z
    .strictObject({
      kind: z.literal('blazepose'),
      variant: z.enum(['lite', 'full', 'heavy']).default('full'),
    })
    .describe('BlazePose (MediaPipe, Apache-2.0) in torch, for photos.'),
]);
export type Detector = z.output<typeof Detector>;
