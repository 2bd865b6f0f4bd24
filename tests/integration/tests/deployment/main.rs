//! What is shipped beside the binary, checked by whoever reads it: deferd, systemd, the types of Kubernetes, Prometheus,
//! Alertmanager, and for the one right that deferd needs, the kernel.

#[cfg(test)]
mod alertmanager;
#[cfg(test)]
mod configurations;
#[cfg(test)]
mod kubernetes;
#[cfg(test)]
mod prometheus;
#[cfg(test)]
mod rights;
#[cfg(test)]
mod separation;
#[cfg(test)]
mod shipped;
#[cfg(test)]
mod systemd;
