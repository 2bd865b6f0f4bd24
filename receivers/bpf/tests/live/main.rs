//! The programs in the running kernel.

#[cfg(test)]
mod kept;
#[cfg(test)]
mod own_process;
