import Programs

TrainCommand.start()
