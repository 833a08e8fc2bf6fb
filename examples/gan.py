"""Two networks that compete: one makes numbers, the other tells them from real ones.

    python examples/gan.py [--quick]

They share their layers with a third model, in which the generator is trained through the frozen discriminator. The real
numbers have the mean 4 and the deviation 1.25; those that are made end within .5 of either (with --quick within 1).
"""

import sys

import numpy as np

from torchkeras_compat.layers import Dense, LeakyReLU
from torchkeras_compat.models import Sequential
from torchkeras_compat.optimizers import Adam

QUICK = "--quick" in sys.argv[1:]
STEPS, BATCH, NOISE = 1500 if QUICK else 6000, 64, 8

np.random.seed(7)
generator = Sequential([Dense(16, input_dim=NOISE), LeakyReLU(0.2), Dense(16), LeakyReLU(0.2), Dense(1)])
discriminator = Sequential([Dense(16, input_dim=1), LeakyReLU(0.2), Dense(16), LeakyReLU(0.2), Dense(1, "sigmoid")])
discriminator.compile(loss="binary_crossentropy", optimizer=Adam(0.001, beta_1=0.5))

discriminator.trainable = False  # a model trains what is trainable when it is compiled
both = Sequential([generator, discriminator])
both.compile(loss="binary_crossentropy", optimizer=Adam(0.001, beta_1=0.5))


def noise(count):
    """Return what the generator starts from."""
    return np.random.normal(size=(count, NOISE))


real, made = np.ones((BATCH, 1)), np.zeros((BATCH, 1))
for step in range(STEPS):
    numbers = np.random.normal(4, 1.25, (BATCH, 1))
    discriminator.trainable = True
    loss_of_real = discriminator.train_on_batch(numbers, real)
    loss_of_made = discriminator.train_on_batch(generator.predict_on_batch(noise(BATCH)), made)
    discriminator.trainable = False
    loss = both.train_on_batch(noise(BATCH), real)
    if step % (STEPS // 5) == 0:
        print(f"step {step}: discriminator {(loss_of_real + loss_of_made) / 2:.3f}, generator {loss:.3f}")

numbers = generator.predict(noise(2000), verbose=0)
print(f"mean {numbers.mean():.2f}, deviation {numbers.std():.2f}")
