const photoEnding = /\.(jpe?g|png|webp|bmp)$/i;

/** Photos and their captions are what a folder's fingerprint is made of; anything else may change freely. */
export const isPhotoOrCaption = (file: string): boolean =>
  photoEnding.test(file) || file.toLowerCase().endsWith('.txt');
