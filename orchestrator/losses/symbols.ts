/** The words for inputs that several terms share. */
export const words = {
  pred_keypoints_a: 'a = Ψ∘g(Z_A,t): (B, N, 2), fractions of the frame',
  pred_keypoints_b: 'b = Ψ∘g(Z_B,t): (B, N, 2), fractions of the frame',
  keypoints_a: 'a_0 = Ψ∘g(A_0) as given: (B, N, 2), fractions of the frame',
  keypoints_b: 'b_0 = Ψ∘g(B_0) as given: (B, N, 2), fractions of the frame',
  mask: '(B, N), 1 where a keypoint is given in A and in B',
  alphas_cumprod: 'ᾱ_t: one number or (B,), in [0, 1]',
  noise: 'ε: (B, …)',
  noise_pred: 'ε_θ: (B, …)',
  latents: 'Z̄_t or x_t: (B, …)',
  bias: 'b_c as a fraction of the frame: (2,)',
  q: 'Q > 0 (Eq. 37): one number or one for each',
  distance: 'D = ‖b_0 − a‖²: one for each, squared fractions of the frame',
  losses: 'L_t of Eq. 40: (T,)',
} as const;
