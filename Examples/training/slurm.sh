#!/bin/sh
# Trains on two machines with four GPUs each: sbatch Examples/training/slurm.sh
#
# srun starts one process per GPU, and albef reads its place from Slurm's variables. After a failure
# Slurm starts the job again, and --resume continues at the last checkpoint.
#SBATCH --job-name=albef
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=4
#SBATCH --gpus-per-node=4
#SBATCH --cpus-per-task=8
#SBATCH --time=24:00:00
#SBATCH --requeue
#SBATCH --open-mode=append

# The network between the machines; without it, the one by which they reach rank 0.
# export GLOO_SOCKET_IFNAME=ib0 NCCL_SOCKET_IFNAME=ib0

srun albef pretrain --config settings.yaml --run run --resume --threads "$SLURM_CPUS_PER_TASK"
